package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stator-go/stator/eval/planted"
)

// results are what searches came to, kept in a file, a line for all seeds of a bug and
// a way to search: so that who is interrupted need not begin anew. Nil keeps nothing.
type results struct {
	file  *os.File
	known map[string][]outcome
}

// result is a line of the file.
type result struct {
	Key      string
	Outcomes []outcome
}

// openResults reads what is kept in a file, and keeps more there; an empty name is none.
func openResults(name string) (*results, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	r := &results{file: f, known: map[string][]outcome{}}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1 // what is behind was cut off
	for line := range bytes.Lines(text[:whole]) {
		var one result
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("-state %s: %w", name, err)
		}
		r.known[one.Key] = one.Outcomes
	}
	_, err = f.Seek(int64(whole), io.SeekStart)
	return r, errors.Join(err, f.Truncate(int64(whole)))
}

// key is what a result depends on, but for the code.
func (s settings) key(b planted.Bug, way searcher, seeds int) string {
	return fmt.Sprintf("%s (%s) by %s, %d seeds, %v", b.Name, b.What, way.name(), seeds, s.budget)
}

// get is what is kept under a key, or else what make makes, kept from now on.
func (r *results) get(key string, make func() ([]outcome, error)) ([]outcome, error) {
	if r == nil {
		return make()
	}
	if all, ok := r.known[key]; ok {
		return all, nil
	}
	all, err := make()
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(result{key, all})
	if err != nil {
		return nil, err
	}
	_, err = r.file.Write(append(line, '\n'))
	return all, err
}
