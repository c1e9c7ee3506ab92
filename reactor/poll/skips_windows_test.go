package poll_test

import "golang.org/x/sys/windows"

// wine tells whether this is not Windows but Wine.
func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// publishes is the name of this system where its table is published, else empty.
func publishes() string {
	if wine() {
		return "Windows, as Wine 8 has it"
	}
	return ""
}

// skips are the cases that Wine's sockets are not good enough for.
func skips() map[int]string {
	if !wine() {
		return nil
	}
	return map[int]string{
		30: "Wine takes the error itself, so that a read answers the end",
		31: "Wine does not notice the end before the data is read",
		41: "Wine has no event for a datagram that was refused",
	}
}
