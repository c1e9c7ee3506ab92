package judge

import "testing"

// An input that is a struct is shown with the names of its fields.
func TestInputsAreShown(t *testing.T) {
	type set struct {
		key  string
		keep bool
	}
	for _, c := range []struct {
		in   any
		want string
	}{
		{set{"a", true}, "{key:a keep:true}"},
		{&set{"a\n", false}, `&{key:a\n keep:false}`},
		{"a\n", `"a\n"`},
		{7, "7"},
	} {
		if got := shown(c.in); got != c.want {
			t.Errorf("%#v is %s: want %s", c.in, got, c.want)
		}
	}
}
