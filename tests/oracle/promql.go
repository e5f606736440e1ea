package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// question is one query, and what Weir would send in its place.
type question struct {
	Query    string  `json:"query"`
	QueryB64 string  `json:"query_b64"` // in place of query, where its bytes are no UTF-8
	Lang     string  `json:"lang"`      // promql, or match: a bare selector
	Features string  `json:"features"`  // exp,fill,utf8
	Label    string  `json:"label"`     // of the tenant
	Tenant   string  `json:"tenant"`    // empty: nothing is narrowed
	Enforced *string `json:"enforced"`  // absent: only the query is looked at
}

type answer struct {
	OK       bool   `json:"ok"`
	Err      string `json:"err,omitempty"`
	Tree     string `json:"tree,omitempty"`
	Want     string `json:"want,omitempty"` // tree of the query with the guard ANDed into every selector
	Narrowed *look  `json:"narrowed,omitempty"`

	Selectors [][]matcher `json:"selectors,omitempty"` // of the query, in the order of the text
}

type matcher struct {
	Name  string `json:"name"`
	Op    string `json:"op"`
	Value string `json:"value"`
}

// look is what the real parser finds in the text that would be sent.
type look struct {
	OK        bool   `json:"ok"`
	Err       string `json:"err,omitempty"`
	Tree      string `json:"tree,omitempty"`
	Same      bool   `json:"same"`      // its tree is the one wanted
	Selectors int    `json:"selectors"` // how many there are
	Missing   int    `json:"missing"`   // of those, how many do not hold the guard
}

func options(features string) (o parser.Options) {
	for f := range strings.SplitSeq(features, ",") {
		switch f {
		case "exp":
			o.EnableExperimentalFunctions = true
		case "fill":
			o.EnableBinopFillModifiers = true
		case "utf8":
			o.EnableUnquotedUTF8Names = true
		case "":
		default:
			panic("unknown feature " + f)
		}
	}
	return o
}

func decoded(text, b64 string) string {
	if b64 == "" {
		return text
	}
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// parse reads a query, or the selector of a match[] as an expression of one selector.
func (q question) parse(text string) (parser.Expr, error) {
	p := parser.NewParser(options(q.Features))
	if q.Lang != "match" {
		return p.ParseExpr(text)
	}
	matchers, err := p.ParseMetricSelector(text)
	if err != nil {
		return nil, err
	}
	// the API's own rule, in web/api/v1
	if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches("") }) {
		return nil, errors.New("match[] must contain at least one non-empty matcher")
	}
	return &parser.VectorSelector{LabelMatchers: matchers}, nil
}

func selectorsOf(e parser.Expr) (found []*parser.VectorSelector) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			found = append(found, s)
		}
		return nil
	})
	slices.SortStableFunc(found, func(x, y *parser.VectorSelector) int { return int(x.PosRange.Start - y.PosRange.Start) })
	return found
}

func matchersOf(e parser.Expr) (lists [][]matcher) {
	for _, s := range selectorsOf(e) {
		list := []matcher{}
		for _, m := range s.LabelMatchers {
			list = append(list, matcher{m.Name, m.Type.String(), m.Value})
		}
		lists = append(lists, list)
	}
	return lists
}

func holds(s *parser.VectorSelector, guard *labels.Matcher) bool {
	return slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool {
		return m.Type == guard.Type && m.Name == guard.Name && m.Value == guard.Value
	})
}

// narrow ANDs the guard into every selector that does not hold it already. It fails where a selector is left that the engine
// would make by itself: info() with one argument.
func narrow(e parser.Expr, guard *labels.Matcher) error {
	for _, s := range selectorsOf(e) {
		if !holds(s, guard) {
			s.LabelMatchers = append(s.LabelMatchers, guard)
		}
	}
	var failed error
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if c, ok := n.(*parser.Call); ok && c.Func.Name == "info" && len(c.Args) == 1 {
			failed = errors.New("info() with one argument reads series that no selector names")
		}
		return nil
	})
	return failed
}

func answerPromQL(q question) (a answer) {
	defer func() {
		if p := recover(); p != nil { // a crash of the real parser counts as a refusal, and is told
			a = answer{Err: fmt.Sprint("panic: ", p)}
		}
	}()
	e, err := q.parse(decoded(q.Query, q.QueryB64))
	if err != nil {
		return answer{Err: err.Error()}
	}
	a = answer{OK: true, Tree: treeOf(e), Selectors: matchersOf(e)}
	if q.Tenant == "" {
		return a
	}
	guard := labels.MustNewMatcher(labels.MatchEqual, q.Label, q.Tenant)
	if err := narrow(e, guard); err != nil {
		a.Err = err.Error()
		return a
	}
	a.Want = treeOf(e)
	if q.Enforced != nil {
		a.Narrowed = q.lookAt(*q.Enforced, guard, a.Want)
	}
	return a
}

func (q question) lookAt(text string, guard *labels.Matcher, want string) *look {
	e, err := q.parse(text)
	if err != nil {
		return &look{Err: err.Error()}
	}
	l := &look{OK: true, Tree: treeOf(e)}
	l.Same = l.Tree == want
	for _, s := range selectorsOf(e) {
		l.Selectors++
		if !holds(s, guard) {
			l.Missing++
		}
	}
	return l
}
