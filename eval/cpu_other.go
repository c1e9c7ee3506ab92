//go:build !unix

package main

import "time"

var began = time.Now()

// cpu stands for the time that this process has had a processor for: a search keeps
// one busy.
func cpu() time.Duration { return time.Since(began) }
