//go:build unix && !linux

package poll

var backends = []opener{{"poll", newPoll2}}
