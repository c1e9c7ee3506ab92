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

// results keeps the outcomes of searches in a file, so that an interrupted run can
// continue. The file has one line for each bug and searcher, with the outcomes of all
// seeds. A nil *results keeps nothing.
type results struct {
	file  *os.File
	known map[string][]outcome
}

// result is one line of the file.
type result struct {
	Key      string
	Outcomes []outcome
}

// openResults opens a file of results, or creates it. If the name is empty, it returns
// nil.
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
	whole := bytes.LastIndexByte(text, '\n') + 1 // an incomplete last line is dropped
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

// key names everything that a result depends on, except the code.
func (s settings) key(b planted.Bug, way searcher, seeds int) string {
	return fmt.Sprintf("%s (%s) by %s, %d seeds, %v", b.Name, b.What, way.name(), seeds, s.budget)
}

// get returns the outcomes kept under a key. If there are none, it calls make and keeps
// what that returns.
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
