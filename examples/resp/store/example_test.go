package store_test

import (
	"fmt"

	"github.com/stator-go/stator/examples/resp/store"
)

func Example() {
	keys := store.New(1, nil)
	db := &keys.DBs[0]

	now := int64(1_000_000)
	db.SetDeadline(db.Set([]byte("token"), []byte("secret")), now+500)
	fmt.Printf("%s\n", db.Get([]byte("token"), now+499).Value())
	fmt.Println(db.Get([]byte("token"), now+500))
	// Output:
	// secret
	// <nil>
}
