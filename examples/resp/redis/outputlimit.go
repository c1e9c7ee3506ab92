package redis

import (
	"math"
	"strconv"
	"strings"
)

// OutputLimit says how many bytes of replies a client may leave unread. 0 is no limit.
type OutputLimit struct {
	Hard    int   // the client is closed at once
	Soft    int   // the client is closed if it has as much for longer than Seconds
	Seconds int64 // any number from 0 up
}

// outputLimits has the limits of CONFIG's client-output-buffer-limit, by class of clients.
type outputLimits [3]OutputLimit

const (
	normalClass = iota
	replicaClass
	pubsubClass
)

var className = [3]string{"normal", "slave", "pubsub"}

// defaultOutputLimits are those of redis-server.
var defaultOutputLimits = outputLimits{
	replicaClass: {256 << 20, 64 << 20, 60},
	pubsubClass:  {32 << 20, 8 << 20, 60},
}

// OutputLimit returns the limit of the session's class: with subscriptions or without.
func (s *Session) OutputLimit() OutputLimit {
	if s.Subscribed() {
		return s.srv.outputs[pubsubClass]
	}
	return s.srv.outputs[normalClass]
}

func (l *outputLimits) String() string {
	var b []byte
	for i, v := range l {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(append(b, className[i]...), ' ')
		b = append(appendInt(b, int64(v.Hard)), ' ')
		b = append(appendInt(b, int64(v.Soft)), ' ')
		b = appendInt(b, v.Seconds)
	}
	return string(b)
}

// set sets the limits of the classes in text, such as "normal 1mb 0 0 pubsub 8mb 4mb 60". If
// anything is wrong, it sets none and returns why.
func (l *outputLimits) set(text string) (why string) {
	var words []string
	if text != "" {
		words = strings.Split(text, " ")
	}
	if len(words)%4 != 0 {
		return "Wrong number of arguments in buffer limit configuration."
	}
	changed := *l
	for ; len(words) > 0; words = words[4:] {
		class, ok := outputClass(words[0])
		if !ok {
			return "Invalid client class specified in buffer limit configuration."
		}
		hard, ok1 := memory(words[1])
		soft, ok2 := memory(words[2])
		seconds, ok3 := wholeSeconds(words[3])
		if !ok1 || !ok2 || !ok3 {
			return "Error in hard, soft or soft_seconds setting in buffer limit configuration."
		}
		changed[class] = OutputLimit{hard, soft, seconds}
	}
	*l = changed
	return ""
}

func outputClass(name string) (class int, ok bool) {
	switch strings.ToLower(name) {
	case "normal":
		return normalClass, true
	case "slave", "replica":
		return replicaClass, true
	case "pubsub":
		return pubsubClass, true
	}
	return 0, false
}

// memory parses a number of bytes with an optional unit.
func memory(text string) (bytes int, ok bool) {
	digits := strings.TrimLeft(text, "0123456789")
	unit, known := map[string]int{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20,
		"g": 1e9, "gb": 1 << 30}[strings.ToLower(digits)]
	number := text[:len(text)-len(digits)]
	if number == "" {
		number = "0"
	}
	n, err := strconv.Atoi(number)
	if !known || err != nil || n > math.MaxInt/unit {
		return 0, false
	}
	return n * unit, true
}

// wholeSeconds parses a decimal number from 0 up; an empty text is 0.
func wholeSeconds(text string) (v int64, ok bool) {
	if text == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(text, 10, 64)
	return v, err == nil && v >= 0
}
