//go:build unix

package sig_test

import (
	"fmt"
	"os"
	"syscall"

	"github.com/stator-go/stator/sig"
)

// A loop that waits for signals only. Its channel has capacity 1, so a wake that comes
// before the loop waits is not lost, and the loop need not check Empty.
func Example() {
	woken := make(chan struct{}, 1)
	src, err := sig.Open(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := src.Notify(sig.Of(syscall.SIGHUP, syscall.SIGTERM)); err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()

	send := func(s syscall.Signal) { _ = syscall.Kill(os.Getpid(), s) }
	send(syscall.SIGHUP)
	for {
		<-woken
		signals := src.Take()
		if signals.Has(syscall.SIGHUP) {
			fmt.Println("reading the configuration again")
			send(syscall.SIGTERM)
		}
		if signals.Has(syscall.SIGTERM) {
			fmt.Println("ending")
			return
		}
	}
	// Output:
	// reading the configuration again
	// ending
}
