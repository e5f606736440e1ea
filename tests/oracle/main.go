// Command oracle answers with Prometheus' own parser what Weir's must agree with. Test-only.
//
//	oracle promql              one query a line in, what the real parser makes of it a line out
//	oracle regexp              one regular expression a line in, valid and matching the empty text or not
//	oracle bench SECONDS       rows in; nanoseconds per query to parse, enforce and print
//
// Lines are JSON objects, answered in order. README.md has the fields.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const maxLine = 16 << 20

// answerLines decodes each line into a new Q and writes what answer makes of it.
func answerLines[Q, A any](in io.Reader, out io.Writer, answer func(Q) A) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	w := bufio.NewWriter(out)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for number := 1; lines.Scan(); number++ {
		var q Q
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(answer(q)); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "promql":
		return answerLines(os.Stdin, os.Stdout, answerPromQL)
	case len(args) == 1 && args[0] == "regexp":
		return answerLines(os.Stdin, os.Stdout, answerRegexp)
	case len(args) == 2 && args[0] == "bench":
		return bench(os.Stdin, os.Stdout, args[1])
	}
	return fmt.Errorf("usage: oracle promql | regexp | bench SECONDS")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(2)
	}
}
