// Package redis runs the commands of a Redis-compatible server as pure code:
// arguments come in, replies are appended to a wire.Output, the time is passed
// in. It knows no connection. Replies and error texts are those of
// redis-server 7.0.
//
// A Server is what the sessions of one loop share: keyspace, configuration,
// channels, counters. A Session is one client. Both belong to one goroutine.
//
//	var s redis.Session
//	server.Open(&s, mail, "10.0.0.1:4711", now)
//	for {
//		list.Unauthenticated = s.Unauthenticated()
//		args, n, err := parser.Next(window, list)
//		...
//		s.Do(out, args, now)   // appends exactly the replies to this command
//		// consume n bytes, send what is in out, end when s.Closing()
//	}
//	s.Close()
//
// # Publishing
//
// PUBLISH gives each subscriber its Message through Mail.Deliver, which hands
// it over to wherever that session is served; there Session.Message writes it.
// So a publisher never touches another client's output.
//
// # Expiry
//
// The deadlines of keys go to the store.Timers of the Config; what drives them
// calls Server.Keys.Due. Without, keys go when they are looked at.
package redis
