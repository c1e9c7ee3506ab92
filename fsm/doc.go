// Package fsm says what a state machine is: a table of rows, one a state.
// It does nothing: it is data and its checks.
package fsm
