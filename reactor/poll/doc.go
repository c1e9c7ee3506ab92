// Package poll tells which descriptors are ready, portably and without
// allocating.
package poll
