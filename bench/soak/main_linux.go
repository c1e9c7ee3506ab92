package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// config holds the settings of the flags.
type config struct {
	length, report time.Duration
	rate           float64
	residentSlack  int64 // resident bytes that may be left: the runtime and the kernel give memory back late
}

func main() {
	cfg := config{residentSlack: 48 << 20}
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: go -C bench run ./soak [flags]\n\n"+
			"Runs two loops under a mixed load, and checks that nothing is wrong and nothing is left.\n"+
			"An interrupt ends the load early; the checks follow.\n\n")
		flag.PrintDefaults()
	}
	flag.DurationVar(&cfg.length, "for", time.Minute, "length of the load")
	flag.DurationVar(&cfg.report, "report", 10*time.Second, "time between two lines of the report")
	flag.Float64Var(&cfg.rate, "rate", 1, "pace of the load; 1 takes at most one core")
	flag.Parse()
	if flag.NArg() > 0 || cfg.length <= 0 || cfg.report <= 0 || cfg.rate <= 0 {
		fmt.Fprintln(os.Stderr, "soak: want no arguments, and -for, -report and -rate above 0")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	wrong, err := soak(ctx, cfg, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if err != nil || wrong > 0 {
		os.Exit(1)
	}
}

// soak runs a short round and a long one, compares what the process has after each, and
// returns how many things were wrong.
func soak(ctx context.Context, cfg config, out io.Writer) (wrong int, err error) {
	short := cfg
	short.length = min(cfg.length/3, 5*time.Second)
	if _, err := newRound(short, io.Discard).run(ctx); err != nil {
		return 0, fmt.Errorf("the first round: %w", err)
	}
	before := measure()
	r := newRound(cfg, out)
	list, err := r.run(ctx)
	if err != nil {
		return 0, err
	}
	after := settle(before, cfg.residentSlack)
	list = append(list, after.beyond(before, cfg.residentSlack)...)
	r.table()
	fmt.Fprintf(out, "\nbefore  %v\nafter   %v\n", before, after)
	if len(list) == 0 {
		fmt.Fprintln(out, "\nok: nothing is wrong, nothing is left")
		return 0, nil
	}
	fmt.Fprintf(out, "\nWRONG:\n")
	for _, text := range list {
		fmt.Fprintln(out, "  "+text)
	}
	return len(list), nil
}
