//go:build !linux

package main

func runLimited(string) int { return 1 }
