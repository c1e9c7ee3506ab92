package mailbox_test

import (
	"fmt"

	"github.com/stator-go/stator/mailbox"
)

// A consumer of two rings sleeps on a channel of capacity 1, which keeps a wake
// that comes before it blocks.
func Example() {
	bell := make(chan struct{}, 1)
	s := mailbox.NewSleeper(func() {
		select {
		case bell <- struct{}{}:
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
			_ = numbers.Send(n) // ErrFull can't be: three messages, eight places
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
			<-bell
		}
		s.Awake()
	}
	fmt.Println(sum, last)
	// Output: 3 that's all
}

// A message that is put aside keeps its place: its sender's side stays bounded.
func ExampleRing_Release() {
	r, err := mailbox.New[string](2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = r.Send("later")
	_ = r.Send("now")

	var aside, msg string
	r.Recv(&aside)
	r.Recv(&msg)
	r.Release(1) // msg is dealt with, aside is not
	fmt.Println(msg, r.Len(), r.Send("third"), r.Send("fourth"))

	r.Release(1) // now aside is, too
	fmt.Println(aside, r.Send("fourth"))
	// Output:
	// now 1 <nil> mailbox: full
	// later <nil>
}
