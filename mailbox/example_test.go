package mailbox_test

import (
	"fmt"

	"github.com/stator-go/stator/mailbox"
)

// A consumer of two rings blocks on a channel. The channel has capacity 1, so a wake
// that comes before the consumer blocks is not lost.
func Example() {
	woken := make(chan struct{}, 1)
	s := mailbox.NewSleeper(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	numbers, err := mailbox.New[int](8, s)
	if err != nil {
		fmt.Println(err)
		return
	}
	words, err := mailbox.New[string](8, s)
	if err != nil {
		fmt.Println(err)
		return
	}

	go func() {
		for n := range 3 {
			_ = numbers.Send(n) // never ErrFull: three messages, capacity eight
		}
		numbers.Close()
		_ = words.Send("that's all")
		words.Close()
	}()

	sum, last := 0, ""
	for !numbers.Done() || !words.Done() {
		got := 0
		for n := 0; numbers.Recv(&n); got++ {
			sum += n
		}
		numbers.Release(got)

		got = 0
		for words.Recv(&last) {
			got++
		}
		words.Release(got)

		s.Asleep()
		if numbers.Empty() && words.Empty() && !(numbers.Done() && words.Done()) {
			<-woken
		}
		s.Awake()
	}
	fmt.Println(sum, last)
	// Output: 3 that's all
}

// A received message that is kept for later still counts against the capacity.
func ExampleRing_Release() {
	r, err := mailbox.New[string](2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = r.Send("later")
	_ = r.Send("now")

	var kept, msg string
	r.Recv(&kept)
	r.Recv(&msg)
	r.Release(1) // msg has been handled, kept has not
	fmt.Println(msg, r.Len(), r.Send("third"), r.Send("fourth"))

	r.Release(1) // kept has been handled, too
	fmt.Println(kept, r.Send("fourth"))
	// Output:
	// now 1 <nil> mailbox: full
	// later <nil>
}
