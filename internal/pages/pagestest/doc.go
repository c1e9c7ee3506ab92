// Package pagestest lets tests count the pages that a slice occupies. It does so on Linux
// only: elsewhere it is empty.
package pagestest
