// Package redis runs the commands of a Redis-compatible server without I/O: it takes the
// arguments of a command and the time, and appends the replies to a wire.Output. It has
// no connections. Replies and error texts are those of redis-server 7.0.
//
// A Server is the state that the sessions of one loop share: keyspace, configuration,
// channels, counters. A Session is one client. Only one goroutine may use them.
//
//	var s redis.Session
//	server.Open(&s, mail, "10.0.0.1:4711", now)
//	for {
//		list.Unauthenticated = s.Unauthenticated()
//		args, n, err := parser.Next(window, list)
//		...
//		s.Do(out, args, now)   // appends exactly the replies to this command
//		// consume n bytes, send what is in out, end if s.Closing()
//	}
//	s.Close()
//
// # Publishing
//
// PUBLISH passes a Message for each subscriber to the Mail.Deliver of its session. The
// owner of that session receives it and calls Session.Message, which writes it. So a
// publisher never touches another client's output.
//
// # Transactions
//
// Between MULTI and EXEC a Session keeps its commands: Session.Queued is their size, for the
// owner to limit. All commands of an EXEC run in one call of Do.
//
// # Expiry
//
// The deadlines of keys go to Config.Timers, whose owner calls Server.Keys.Due when one
// has passed. Without Timers, keys expire only when accessed.
package redis
