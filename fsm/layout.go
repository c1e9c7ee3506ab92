package fsm

import (
	"cmp"
	"math"
	"slices"
)

// layout places boxes in layers from top to bottom, and wires between them. A wire has an
// item in every layer that it crosses, and one of these is as wide as the wire's label.
// So if the items of each layer do not overlap, nothing overlaps.
//
// The method is that of K. Sugiyama, S. Tagawa and M. Toda, "Methods for Visual
// Understanding of Hierarchical System Structures" (1981), simplified.
type layout struct {
	items  []item // boxes first
	wires  []wire
	layers [][]int // items from left to right
	w, h   float64
}

// item is a box, a label, or the point where a wire crosses a layer.
type item struct {
	w, h, x, y float64 // x and y are the centre
	layer      int
	bend       bool  // part of a wire; it gets the height of its layer, so that the wire is vertical there
	up, down   []int // neighbours in the layers above and below
}

// wire leads from a box to another one, or to itself.
type wire struct {
	from, to int
	w, h     float64 // size of its label
	items    []int   // from the upper box to the lower one
	label    int     // the item of its label
	reversed bool    // leads upwards
	self     bool    // leads to the same box
}

// Distances in pixels.
const (
	gapAcross = 18
	gapDown   = 22
)

func newLayout(boxes []item, wires []wire) *layout {
	l := &layout{items: boxes, wires: wires}
	l.rank()
	l.route()
	l.order()
	l.place()
	return l
}

// rank assigns the boxes to even layers. A box is below those that lead to it, except by
// wires that close a cycle. A box that nothing leads to is directly above the first box
// that it leads to. The last box, which is Stop, is in the lowest layer.
func (l *layout) rank() {
	const unvisited, open, done = 0, 1, 2
	mark := make([]int, len(l.items))
	var order []int // targets first
	var visit func(box int)
	visit = func(box int) {
		mark[box] = open
		for i := range l.wires {
			if e := &l.wires[i]; e.from == box && e.to == box {
				e.self = true
			} else if e.from == box && mark[e.to] == open {
				e.reversed = true
			} else if e.from == box && mark[e.to] == unvisited {
				visit(e.to)
			}
		}
		mark[box] = done
		order = append(order, box)
	}
	for box := range l.items {
		if mark[box] == unvisited {
			visit(box)
		}
	}
	slices.Reverse(order)
	last := 0
	for _, box := range order {
		for _, e := range l.wires {
			if lower := e.lower(); lower != box && e.upper() == box {
				l.items[lower].layer = max(l.items[lower].layer, l.items[box].layer+2)
				last = max(last, l.items[lower].layer)
			}
		}
	}
	l.items[len(l.items)-1].layer = last
	for box := range l.items {
		first, top, sink := last+2, true, true
		for _, e := range l.wires {
			if e.upper() == box && e.lower() != box {
				first, sink = min(first, l.items[e.lower()].layer), false
			}
			top = top && (e.lower() != box || e.self)
		}
		if top && !sink {
			l.items[box].layer = first - 2
		}
	}
}

func (e *wire) upper() int {
	if e.reversed {
		return e.to
	}
	return e.from
}

func (e *wire) lower() int {
	if e.reversed {
		return e.from
	}
	return e.to
}

// route creates the items of the wires. The label is next to the box that the wire leaves.
func (l *layout) route() {
	for i := range l.wires {
		e := &l.wires[i]
		if e.self {
			continue
		}
		e.items = append(e.items, e.upper())
		first, last := l.items[e.upper()].layer+1, l.items[e.lower()].layer-1
		for layer := first; layer <= last; layer++ {
			x := item{layer: layer}
			if layer == first && !e.reversed || layer == last && e.reversed {
				x.w, x.h, e.label = e.w, e.h, len(l.items)
			}
			x.bend = true
			e.items = append(e.items, len(l.items))
			l.items = append(l.items, x)
		}
		e.items = append(e.items, e.lower())
		for at, below := range e.items[1:] {
			above := e.items[at]
			l.items[above].down = append(l.items[above].down, below)
			l.items[below].up = append(l.items[below].up, above)
		}
	}
	for i := range l.items {
		for len(l.layers) <= l.items[i].layer {
			l.layers = append(l.layers, nil)
		}
		l.layers[l.items[i].layer] = append(l.layers[l.items[i].layer], i)
	}
}

// order sorts each layer by the positions of its neighbours, alternately downwards and
// upwards, and keeps the order with the fewest crossings.
func (l *layout) order() {
	sweeps := 24
	if len(l.items) > 1000 {
		sweeps = 4
	}
	at := make([]float64, len(l.items))
	number := func(layer []int) {
		for i, x := range layer {
			at[x] = float64(i)
		}
	}
	for _, layer := range l.layers {
		number(layer)
	}
	best, fewest := l.copyLayers(), l.crossings(at)
	for sweep := range sweeps {
		for i := range l.layers {
			if sweep%2 == 1 {
				i = len(l.layers) - 1 - i
			}
			want := slices.Clone(at)
			for _, x := range l.layers[i] {
				near := l.items[x].up
				if sweep%2 == 1 {
					near = l.items[x].down
				}
				want[x] = mean(at, near, at[x])
			}
			slices.SortStableFunc(l.layers[i], func(a, b int) int { return cmp.Compare(want[a], want[b]) })
			number(l.layers[i])
		}
		if n := l.crossings(at); n < fewest {
			best, fewest = l.copyLayers(), n
		}
	}
	l.layers = best
}

func (l *layout) copyLayers() (all [][]int) {
	for _, layer := range l.layers {
		all = append(all, slices.Clone(layer))
	}
	return all
}

// crossings returns how many pairs of wires cross if the items have the positions at.
func (l *layout) crossings(at []float64) (n int) {
	type piece struct{ above, below float64 }
	for _, layer := range l.layers {
		var all []piece
		for _, x := range layer {
			for _, y := range l.items[x].down {
				all = append(all, piece{at[x], at[y]})
			}
		}
		for i, a := range all {
			for _, b := range all[:i] {
				if (a.above-b.above)*(a.below-b.below) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// place computes the coordinates of the items: as near to their neighbours as the order
// and the widths of their layer allow.
func (l *layout) place() {
	want := make([]float64, len(l.items))
	put := func(layer []int) {
		l.spread(layer, want)
		for _, x := range layer {
			want[x] = l.items[x].x
		}
	}
	for _, layer := range l.layers {
		put(layer)
	}
	for sweep := range 32 {
		for i := range l.layers {
			if sweep%2 == 1 {
				i = len(l.layers) - 1 - i
			}
			for _, x := range l.layers[i] {
				near := slices.Concat(l.items[x].up, l.items[x].down)
				if sweep < 16 && sweep%2 == 0 && l.items[x].up != nil {
					near = l.items[x].up
				} else if sweep < 16 && sweep%2 == 1 && l.items[x].down != nil {
					near = l.items[x].down
				}
				want[x] = l.middle(x, want, near)
			}
			put(l.layers[i])
		}
	}
	left := 0.0
	for _, x := range l.items {
		left = min(left, x.x-x.w/2)
	}
	for _, layer := range l.layers {
		high := 0.0
		for _, x := range layer {
			high = max(high, l.items[x].h)
		}
		for _, x := range layer {
			l.items[x].x = math.Round(l.items[x].x - left)
			l.items[x].y = l.h + high/2
			if l.items[x].bend {
				l.items[x].h = high
			}
			l.w = max(l.w, l.items[x].x+l.items[x].w/2)
		}
		l.h += high + gapDown
	}
	l.h -= gapDown
}

// straight is the weight of a neighbour if both items are bends of a wire. A larger one
// makes wires straighter between their ends.
const straight = 8

// middle returns the wanted position of item x: the weighted mean of its neighbours.
func (l *layout) middle(x int, at []float64, near []int) float64 {
	sum, weight := 0.0, 0.0
	for _, n := range near {
		w := 1.0
		if l.items[x].bend && l.items[n].bend {
			w = straight
		}
		sum += float64(w * at[n]) // the conversion prevents a fused multiply-add, so results are equal on every machine
		weight += w
	}
	if weight == 0 {
		return at[x]
	}
	return sum / weight
}

// spread places the items of a layer so that they do not overlap and the sum of the
// squared distances from their wanted positions is minimal. It joins items that would
// overlap into blocks.
func (l *layout) spread(layer []int, want []float64) {
	type block struct {
		sum  float64
		n    int
		from int // in layer
	}
	offset := make([]float64, len(layer)) // position of an item if all were as close as possible
	var blocks []block
	for i, x := range layer {
		if i > 0 {
			before := &l.items[layer[i-1]]
			offset[i] = offset[i-1] + before.w/2 + l.items[x].w/2 + gapAcross
		}
		blocks = append(blocks, block{want[x] - offset[i], 1, i})
		for n := len(blocks); n > 1 && blocks[n-1].sum/float64(blocks[n-1].n) < blocks[n-2].sum/float64(blocks[n-2].n); n-- {
			blocks[n-2].sum += blocks[n-1].sum
			blocks[n-2].n += blocks[n-1].n
			blocks = blocks[:n-1]
		}
	}
	for _, b := range blocks {
		for i := b.from; i < b.from+b.n; i++ {
			l.items[layer[i]].x = b.sum/float64(b.n) + offset[i]
		}
	}
}

// mean returns the mean of at over the items in of, or none if there are no items.
func mean(at []float64, of []int, none float64) float64 {
	if len(of) == 0 {
		return none
	}
	sum := 0.0
	for _, x := range of {
		sum += at[x]
	}
	return sum / float64(len(of))
}
