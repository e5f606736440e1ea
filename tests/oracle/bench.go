package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"syscall"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// bench reads rows and works on all of them in turn for about so many seconds per kind: accepted rows are parsed, narrowed
// and printed; refused rows are parsed. Time is that of the processor, the garbage collector's share in it.
func bench(in io.Reader, out io.Writer, seconds string) error {
	limit, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return err
	}
	var accepted, rejected []string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	p := parser.NewParser(parser.Options{})
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		text := decoded(q.Query, q.QueryB64)
		if _, err := p.ParseExpr(text); err == nil {
			accepted = append(accepted, text)
		} else {
			rejected = append(rejected, text)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	guard := labels.MustNewMatcher(labels.MatchEqual, "tenant_id", "a")
	report(out, "accepted", accepted, limit, func(text string) {
		e, _ := p.ParseExpr(text)
		for _, s := range selectorsOf(e) {
			s.LabelMatchers = append(s.LabelMatchers, guard)
		}
		_ = e.String()
	})
	report(out, "rejected", rejected, limit, func(text string) { _, _ = p.ParseExpr(text) })
	return nil
}

func report(out io.Writer, kind string, texts []string, limit float64, work func(string)) {
	bytes := 0
	for _, text := range texts {
		bytes += len(text)
	}
	if len(texts) == 0 {
		return
	}
	runtime.GC()
	rounds, began := 0, processorSeconds()
	for ; rounds == 0 || processorSeconds()-began < limit; rounds++ {
		for _, text := range texts {
			work(text)
		}
	}
	ns := (processorSeconds() - began) * 1e9 / float64(rounds)
	fmt.Fprintf(out, `{%q:%d,"bytes":%d,"ns_per_query":%.1f,"ns_per_byte":%.2f}`+"\n",
		kind, len(texts), bytes, ns/float64(len(texts)), ns/float64(bytes))
}

func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
