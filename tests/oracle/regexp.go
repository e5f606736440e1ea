package main

import (
	"github.com/prometheus/prometheus/model/labels"
)

type expression struct {
	Regexp    string   `json:"regexp"`
	RegexpB64 string   `json:"regexp_b64"` // in its place, where its bytes are no UTF-8
	Probes    []string `json:"probes"`     // texts to match it against
}

type expressionAnswer struct {
	OK       bool   `json:"ok"`
	Err      string `json:"err,omitempty"`
	Nullable bool   `json:"nullable"`
	Matches  []bool `json:"matches,omitempty"`
}

// answerRegexp compiles as Prometheus compiles the value of a matcher: anchored at both ends.
func answerRegexp(q expression) expressionAnswer {
	m, err := labels.NewFastRegexMatcher(decoded(q.Regexp, q.RegexpB64))
	if err != nil {
		return expressionAnswer{Err: err.Error()}
	}
	a := expressionAnswer{OK: true, Nullable: m.MatchString("")}
	for _, text := range q.Probes {
		a.Matches = append(a.Matches, m.MatchString(text))
	}
	return a
}
