package report

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/reactor"
)

const (
	longestValue = 60 // in runes
	deepestValue = 4  // values in values
)

// valueText returns the type and the value of what p points to, cut if it is long. Two runs of
// one trace have the same text: it has no addresses, no number that differs between two
// loops, and no order of a map. It reads the value by reflection alone, and so calls no
// method of it.
func valueText(p any) string {
	v := reflect.ValueOf(p).Elem()
	text := valueOf(v, deepestValue)
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		text = "(" + text + ")"
	}
	text = v.Type().String() + text
	if all := []rune(text); len(all) > longestValue {
		return string(all[:longestValue]) + "…"
	}
	return text
}

var (
	tokenType    = reflect.TypeFor[reactor.Token]()
	durationType = reflect.TypeFor[time.Duration]()
	refPackage   = reflect.TypeFor[reactor.Ref[struct{}]]().PkgPath()
)

// valueOf returns a value as %+v does, except for what differs between runs, and with texts
// quoted.
func valueOf(v reflect.Value, depth int) string {
	switch {
	case !v.IsValid():
		return "nil"
	case depth == 0:
		return "…"
	case v.Type() == tokenType:
		return tokenText(reactor.Token(v.Uint()))
	case v.Type() == durationType:
		return time.Duration(v.Int()).String()
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return fmt.Sprint(v.Float())
	case reflect.Complex64, reflect.Complex128:
		return fmt.Sprint(v.Complex())
	case reflect.String:
		return judge.Brief([]byte(v.String()))
	case reflect.Struct:
		return structText(v, depth)
	case reflect.Array, reflect.Slice:
		return listText(v, depth)
	case reflect.Interface:
		return valueOf(v.Elem(), depth)
	case reflect.Map:
		return fmt.Sprintf("%s of %d", v.Type(), v.Len())
	}
	if v.IsNil() { // a pointer, a function or a channel
		return "nil"
	}
	return v.Type().String()
}

// tokenText returns a machine without the number of its loop, which is one of the process.
func tokenText(t reactor.Token) string {
	if t == 0 {
		return "none"
	}
	return fmt.Sprintf("slot %d", t.Index())
}

// structText returns a struct with the names of its fields. A Ref is the machine alone.
func structText(v reflect.Value, depth int) string {
	t := v.Type()
	isRef := t.PkgPath() == refPackage && strings.HasPrefix(t.Name(), "Ref[")
	var fields []string
	for i := range v.NumField() {
		text := valueOf(v.Field(i), depth-1)
		if isRef && t.Field(i).Type == tokenType {
			return text
		}
		fields = append(fields, t.Field(i).Name+":"+text)
	}
	return "{" + strings.Join(fields, " ") + "}"
}

// listText returns the elements of an array or a slice, as far as they are shown. Bytes are
// a text.
func listText(v reflect.Value, depth int) string {
	const most = 16
	n := min(v.Len(), most)
	if v.Type().Elem().Kind() == reflect.Uint8 && (v.Kind() == reflect.Slice || v.CanAddr()) {
		return judge.Brief(v.Bytes())
	}
	var all []string
	for i := range n {
		all = append(all, valueOf(v.Index(i), depth-1))
	}
	if n < v.Len() {
		all = append(all, "…")
	}
	return "[" + strings.Join(all, " ") + "]"
}
