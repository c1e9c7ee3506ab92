// Package osdriver is the operating system behind the contract of package driver: the
// Driver that a loop has unless reactor.Config.Driver is set. It opens sockets that do
// not block, makes system calls on them, translates the results to a driver.Flow, and
// waits with a poll.Poller. On a system that is neither a Unix nor Windows, New returns
// driver.ErrUnsupported.
//
// The loop calls Read, Write, Recv and Send through the concrete type *Driver, so that
// buffers on a handler's stack do not escape to the heap. Read and Write allocate nothing.
//
// # Files
//
//	driver.go                          what all systems share: poller, waker, clock, signals
//	sockets.go                         the table of open sockets, and when to re-arm a direction
//	sockaddr.go, sockaddr_raw.go       addresses in the system's form
//	driver_unix.go, driver_windows.go  Wait, Register, Shutdown, Close
//	io_*.go                            Read, Write, Writev
//	datagram_*.go                      Recv, Send, and the errors of earlier datagrams
//	net_*.go                           Listen, Bind, Connect, FinishConnect, Accept, Addr
//	keepalive*.go                      keepalive of connections of TCP
//	path_unix.go                       the paths of unix sockets, and when they are removed
//	adopt_*.go                         Adopt and Release: descriptors from and for elsewhere
//	reopen_*.go                        what Adopt opens anew, for a description of its own
//	retry.go                           events that the kernel does not have, made by time
//	reconnect_unix.go                  connects that have to be made again
//	calls_linux.go                     system calls of Linux, raw
//	calls_unix.go                      system calls of all other Unixes, by package unix
//	calls_windows.go                   system calls of Winsock
//	open_accept4.go, open_fcntl.go     two ways to open a socket that does not block
//	unacked_queue.go, unacked_clock.go two ways to know that the peer has everything
//	race_on.go, race_off.go            what raw calls do to memory, for the race detector
//	errno_windows.go                   errors of Winsock under their portable names
//	sys_GOOS.go                        constants: what a system has, and its numbers
//	driver_other.go                    New, where there is no driver
//
// The build tag stator_plain makes Linux use the files of the other Unixes, so that they
// are tested there.
//
// # Raw system calls
//
// A call of package syscall tells the scheduler that it may block, which costs more than
// a short call itself. On Linux, calls that cannot block are made by syscall.RawSyscall
// instead. Two things follow:
//
//   - The garbage collector cannot stop the goroutine during such a call. So none may be
//     long: maxIO bounds how many bytes one moves. And a call that may block is not raw,
//     such as the close of a terminal, or of a socket whose options another program has set,
//     or a read from a file that another program can set to blocking mode.
//   - The race detector does not see what the kernel reads and writes. So each call says
//     so itself, by raceRead and raceWrite, as package syscall does.
//
// On other Unixes only libc may make system calls, or the calls have no stable numbers;
// there package unix makes them. On Windows syscall.SyscallN does, as package windows
// allocates for each error.
//
// # What a call proves
//
// The loop caches readiness, and only a Flow clears it. This is what each source is
// registered for, and what the Flow of a call says. An event of the poller sets R
// (readable) and W (writable) again. A direction that is not registered is added by the
// first call that would block.
//
//	source         registered for  ReadBlocked, clears R      WriteBlocked, clears W
//	TCP            R, Priority;    would-block; a short read  would-block, a short write
//	               Linux: and W;   where shortReadDrains
//	               Windows: R
//	unix stream    R               would-block                would-block, a short write
//	seqpacket      R               would-block                would-block
//	datagram       R               would-block                would-block; an unconnected
//	                                                          unix socket: retry
//	listener       R               would-block                -
//	connecting     R, W            -                          FinishConnect: SO_ERROR is 0 and there
//	                                                          is no peer; unix, EAGAIN: retry
//	pipe           R, or W         would-block                would-block, a short write
//	FIFO, pipe     R, W            would-block                would-block, a short write
//	open both ways
//	terminal, ...  R               would-block                would-block, a short write
//
// A terminal, another device, and the read end of a FIFO are not readable until an event
// says so: a read of a FIFO without a writer returns 0 as at its end, and one of a process's
// descriptor is an error at any time.
//
// Retry means that no event will come, so that Wait makes one up by time: see retry.go. So
// it is after each write for which the kernel had no memory: ENOBUFS, ENOMEM.
//
// A short read of TCP proves that nothing is left, unless it ended at an urgent byte or
// there is an end. Then the event had Priority, ReadClosed, WriteClosed or Error, and the
// loop reads on; or the poller, if it is not edge-triggered, looks again when it is
// re-armed. FreeBSD's and NetBSD's kqueue has no event for an urgent byte, so that a
// short read proves nothing there. Nor does it for any other source: a message with
// descriptors (SCM_RIGHTS) ends a read of a unix stream, a line ends that of a terminal, a
// packet that of a pipe with O_DIRECT. A read into an empty buffer proves nothing, nor
// does one that was cut to maxIO and filled that.
//
// 0 bytes are the end of a stream, but a datagram is just empty. EIO is the end of a
// terminal. Of a datagram socket no error is the end.
//
// # What each system has
//
//	                  backend  short read  ReusePort  IPv4 on IPv6  "@name"  what is not
//	                           drains                                        acknowledged
//	Linux             epoll    yes         yes        yes           yes      SIOCOUTQ
//	macOS, iOS        kqueue   yes         no         yes           no       SO_NWRITE
//	FreeBSD           kqueue   no          yes        yes           no       FIONWRITE
//	NetBSD            kqueue   no          no         yes           no       FIONWRITE
//	OpenBSD           kqueue   yes         no         no            no       by the clock
//	DragonFly BSD     kqueue   yes         yes        no            no       by the clock
//	Solaris, illumos  ports    yes         no         yes           no       by the clock
//	AIX               poll     yes         no         yes           no       by the clock
//	Windows           afd      yes         no         yes           no       by the clock
//
// Windows has TCP and UDP alone. Outside Linux and Windows, Accept allocates, and so
// does the address of a datagram.
package osdriver
