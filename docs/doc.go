// Package docs has no code. Its tests check the documents beside it: the programs of
// TUTORIAL.md and FROM-NET.md are built and run, and the imports of the repository are
// those that ARCHITECTURE.md draws.
package docs
