//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poll

var backends = []opener{{"kqueue", newKqueue}, {"poll", newPoll2}}
