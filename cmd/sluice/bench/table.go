package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

func (c *Comparison) text(w io.Writer) {
	c.Environment.text(w)
	c.Settings.text(w)
	for _, name := range slices.Sorted(maps.Keys(c.Contenders)) {
		fmt.Fprintf(w, "%s\t%s\n", name, c.Contenders[name])
	}
	fmt.Fprintf(w, "\ncontender\tfigure\tmin\tmedian\tmax\trounds\n")
	for _, s := range c.Series {
		f, unit := figureText(s.Figure)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Contender, f, unit(s.Min), unit(s.Median), unit(s.Max), list(s.Rounds, unit))
	}
	fmt.Fprintf(w, "\nratio\ttarget\tmin\tmedian\tmax\trounds\n")
	for _, r := range c.Ratios {
		target := "-"
		if r.Target > 0 {
			target = fmt.Sprintf("<= %.2f", r.Target)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, target, times(r.Min), times(r.Median), times(r.Max), list(r.Rounds, times))
	}
	for _, note := range c.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
}

// figureText is a figure's title and how its values are written.
func figureText(figure string) (title string, unit func(float64) string) {
	title = strings.ReplaceAll(figure, "_", " ")
	switch {
	case strings.HasSuffix(figure, "_bytes"):
		return strings.TrimSuffix(title, " bytes"), bytesText
	case strings.HasPrefix(figure, "cpu_"):
		return strings.TrimSuffix(title, " us"), func(v float64) string { return fmt.Sprintf("%.3f µs", v) }
	case strings.HasSuffix(figure, "_us"):
		return strings.TrimSuffix(title, " us"), microsText
	default:
		return title, func(v float64) string { return fmt.Sprintf("%.0f", v) }
	}
}

func times(v float64) string { return fmt.Sprintf("%.3f", v) }

func list(values []float64, unit func(float64) string) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(unit(v))
	}
	return b.String()
}

func (o *Overload) text(w io.Writer) {
	o.Environment.text(w)
	o.Settings.text(w)
	fmt.Fprintf(w, "\nPEAK\t%d connections\n", o.Peak.Connections)
	o.Peak.text(w)
	fmt.Fprintf(w, "\nOVERLOAD\t%.0f requests/s over %d connections\n", o.Overload.OfferedPerSecond, o.Overload.Connections)
	o.Overload.text(w)
	fmt.Fprintf(w, "\nfigure\tvalue\ttarget\n")
	fmt.Fprintf(w, "goodput / peak\t%.3f\t>= %.2f\n", o.GoodputShare, targetGoodput)
	fmt.Fprintf(w, "503 share of answers\t%.3f\t-\n", o.RefusedShare)
	fmt.Fprintf(w, "peak RSS over buffer.memory\t%s\t<= %s\n", bytesText(float64(o.Excess)), bytesText(targetExcess))
	fmt.Fprintf(w, "answered / offered\t%.3f\t(below 1: the generator or the server could not keep up with the rate)\n", o.OfferedShare)
}

func (i *Idle) text(w io.Writer) {
	i.Environment.text(w)
	fmt.Fprintf(w, "idle connections\t%d, each after one request\n", i.Connections)
	fmt.Fprintf(w, "RSS\t%s before, %s after\n", bytesText(float64(i.Before)), bytesText(float64(i.After)))
	fmt.Fprintf(w, "per connection\t%s\n", bytesText(i.PerConnection))
}
