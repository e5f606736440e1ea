package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// treeOf writes an expression in full parentheses, without positions: two texts mean the same to Prometheus where their
// trees are the same text. Matchers of a selector are sorted; ranges and offsets are nanoseconds, `at` is milliseconds.
func treeOf(e parser.Expr) string {
	var b strings.Builder
	writeExpr(&b, e)
	return b.String()
}

func writeExpr(b *strings.Builder, e parser.Expr) {
	switch n := e.(type) {
	case *parser.NumberLiteral:
		b.WriteString(number(n.Val))
	case *parser.StringLiteral:
		b.WriteString(strconv.Quote(n.Val))
	case *parser.ParenExpr:
		writeNode(b, "paren", n.Expr)
	case *parser.UnaryExpr:
		writeNode(b, "un "+n.Op.String(), n.Expr)
	case *parser.StepInvariantExpr:
		writeExpr(b, n.Expr)
	case *parser.Call:
		writeNode(b, "call "+n.Func.Name, n.Args...)
	case *parser.AggregateExpr:
		writeNode(b, aggregation(n), operands(n)...)
	case *parser.BinaryExpr:
		writeNode(b, "bin "+n.Op.String()+binaryModifiers(n), n.LHS, n.RHS)
	case *parser.VectorSelector:
		writeSelector(b, n)
	case *parser.MatrixSelector:
		writeNode(b, "range "+duration(n.Range, n.RangeExpr), n.VectorSelector)
	case *parser.SubqueryExpr:
		writeNode(b, fmt.Sprintf("subq %s %s off %s at %s", duration(n.Range, n.RangeExpr), duration(n.Step, n.StepExpr),
			duration(n.OriginalOffset, n.OriginalOffsetExpr), timestamp(n.Timestamp, n.StartOrEnd)), n.Expr)
	case *parser.DurationExpr:
		writeDuration(b, n)
	default:
		panic(fmt.Sprintf("a kind of node that this oracle does not know: %T", e))
	}
}

func writeNode(b *strings.Builder, head string, children ...parser.Expr) {
	b.WriteString("(" + head)
	for _, c := range children {
		b.WriteByte(' ')
		writeExpr(b, c)
	}
	b.WriteByte(')')
}

func number(v float64) string {
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func names(list []string) string {
	quoted := make([]string, len(list))
	for i, name := range list {
		quoted[i] = strconv.Quote(name)
	}
	return "[" + strings.Join(quoted, " ") + "]"
}

func aggregation(n *parser.AggregateExpr) string {
	how := "by"
	if n.Without {
		how = "without"
	}
	return fmt.Sprintf("agg %s %s %s", n.Op, how, names(n.Grouping))
}

func operands(n *parser.AggregateExpr) []parser.Expr {
	if n.Param == nil {
		return []parser.Expr{n.Expr}
	}
	return []parser.Expr{n.Param, n.Expr}
}

func binaryModifiers(n *parser.BinaryExpr) string {
	var b strings.Builder
	if n.ReturnBool {
		b.WriteString(" bool")
	}
	if m := n.VectorMatching; m != nil {
		how := "ignoring"
		if m.On {
			how = "on"
		}
		fmt.Fprintf(&b, " [%s %s %s include %s", m.Card, how, names(m.MatchingLabels), names(m.Include))
		if m.FillValues.LHS != nil {
			b.WriteString(" fl=" + number(*m.FillValues.LHS))
		}
		if m.FillValues.RHS != nil {
			b.WriteString(" fr=" + number(*m.FillValues.RHS))
		}
		b.WriteByte(']')
	}
	return b.String()
}

func sortedMatchers(matchers []*labels.Matcher) string {
	texts := make([]string, len(matchers))
	for i, m := range matchers {
		texts[i] = strconv.Quote(m.Name) + m.Type.String() + strconv.Quote(m.Value)
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

func writeSelector(b *strings.Builder, n *parser.VectorSelector) {
	b.WriteString("(sel")
	if len(n.LabelMatchers) > 0 {
		b.WriteString(" " + sortedMatchers(n.LabelMatchers))
	}
	if n.OriginalOffset != 0 || n.OriginalOffsetExpr != nil {
		b.WriteString(" off " + duration(n.OriginalOffset, n.OriginalOffsetExpr))
	}
	if at := timestamp(n.Timestamp, n.StartOrEnd); at != "-" {
		b.WriteString(" at " + at)
	}
	if n.Anchored {
		b.WriteString(" anchored")
	}
	if n.Smoothed {
		b.WriteString(" smoothed")
	}
	b.WriteByte(')')
}

func timestamp(ms *int64, keyword parser.ItemType) string {
	switch {
	case keyword != 0:
		return keyword.String()
	case ms != nil:
		return strconv.FormatInt(*ms, 10)
	}
	return "-"
}

func duration(d time.Duration, e *parser.DurationExpr) string {
	if e == nil {
		return strconv.FormatInt(int64(d), 10)
	}
	var b strings.Builder
	writeDuration(&b, e)
	return b.String()
}

// A sign or a function has no left side.
func writeDuration(b *strings.Builder, e *parser.DurationExpr) {
	b.WriteString("(d" + e.Op.String())
	for _, side := range []parser.Expr{e.LHS, e.RHS} {
		if side != nil {
			b.WriteByte(' ')
			writeExpr(b, side)
		}
	}
	b.WriteByte(')')
}
