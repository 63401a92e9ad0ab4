package meter

// walker follows the structure of a function's code, instruction by instruction. It numbers the regions: stretches of code
// that are entered only at their head. Unreachable code belongs to none.
type walker struct {
	frames  []frame
	plan    *plan // where regions are recorded; nil on the second walk, which only numbers them
	region  int   // the current one
	regions int   // so far
	dead    bool  // the current code is unreachable
	deepest int
}

// frame is a block that is open.
type frame struct {
	op       int  // opBlock, opLoop, opIf, opElse; of the function itself opBlock
	region   int  // that it began in
	carries  bool // branches to it carry values
	dead     bool // it is unreachable as a whole
	branched bool // reachable code branches to its end
	switched bool // a br_table does
	falls    bool // of an if with else: the first arm ends at the else
	label    int  // on the second walk: how many blocks are open in the output with the one that branches mean
	double   bool // on the second walk: a loop that became three blocks
}

// begin starts the walk at a function's head.
func (w *walker) begin(p *plan, results int) {
	*w = walker{frames: append(w.frames[:0], frame{op: opBlock, carries: results > 0, label: 1}), plan: p}
	w.open(-1, 0)
}

// How much a region's charge may take over from regions that run after it or not at all. A charge is for nothing but what
// will run, and at most this.
const (
	roomNext = 256 // for what follows a block or a conditional branch: it runs unless the code leaves
	roomArm  = 32  // for an arm of an if, and for what follows a block that is branched to
	roomCase = 16  // for a case of a br_table
)

// open begins a region. It runs at most as often as its parent, whose charge it may join as far as there is room; -1 = no
// region bounds it.
func (w *walker) open(parent int, room uint32) {
	w.region = w.regions
	w.regions++
	if w.plan != nil {
		w.plan.regions = append(w.plan.regions, region{parent: parent, room: room})
	}
}

// step takes the next instruction and says whether a region begins after it. carries is of a block: whether branches to
// it carry values.
func (w *walker) step(c *cursor, in *instr, carries bool) bool {
	before := w.regions
	switch in.op {
	case opBlock, opLoop, opIf:
		w.enter(in.op, carries)
	case opElse:
		w.other(c, in)
	case opEnd:
		w.leave()
	case opBr:
		w.branch(c, in, in.x)
		w.dead = true
	case opBrIf:
		w.branch(c, in, in.x)
		if !w.dead {
			w.open(w.region, roomNext)
		}
	case opBrTable:
		for _, t := range in.targets {
			if f := w.branch(c, in, t); f != nil {
				f.switched = true
			}
		}
		w.dead = true
	case opReturn, opUnreachable:
		w.dead = true
	}
	return w.regions > before
}

func (w *walker) top() *frame { return &w.frames[len(w.frames)-1] }

// target is the frame that a branch of that depth means.
func (w *walker) target(depth uint32) *frame { return &w.frames[len(w.frames)-1-int(depth)] }

func (w *walker) enter(op int, carries bool) {
	w.frames = append(w.frames, frame{op: op, region: w.region, dead: w.dead, carries: carries})
	w.deepest = max(w.deepest, len(w.frames)-1)
	switch {
	case w.dead:
	case op == opLoop:
		w.plan.loop()
		w.open(-1, 0)
	case op == opIf:
		w.open(w.region, roomArm)
	}
}

// other is the else of an if.
func (w *walker) other(c *cursor, in *instr) {
	f := w.top()
	if f.op != opIf {
		c.fail(in.at, RuleMalformed, "an else without if")
		return
	}
	f.op, f.falls, w.dead = opElse, !w.dead, f.dead
	if !w.dead {
		w.open(f.region, roomArm)
	}
}

// leave is the end of the innermost block. What follows it runs at most once each time that the block is entered.
func (w *walker) leave() {
	f := *w.top()
	w.frames = w.frames[:len(w.frames)-1]
	if f.dead || len(w.frames) == 0 {
		return
	}
	room := uint32(roomNext)
	switch f.op {
	case opBlock:
		if !f.branched {
			return // the same region goes on, or the code stays unreachable
		}
		w.dead, room = false, roomArm
		if f.switched {
			room = roomCase
		}
	case opIf:
		w.dead = false
	case opElse:
		w.dead = w.dead && !f.falls && !f.branched
	}
	if !w.dead {
		w.open(f.region, room)
	}
}

// branch checks a branch's depth and returns the frame it means if the branch can be reached.
func (w *walker) branch(c *cursor, in *instr, depth uint32) *frame {
	if uint64(depth) >= uint64(len(w.frames)) {
		c.fail(in.at, RuleIndex, "a branch to block %d of %d", depth, len(w.frames))
		return nil
	}
	if w.dead {
		return nil
	}
	f := w.target(depth)
	f.branched = true
	return f
}

// region is a stretch of code.
type region struct {
	parent int    // -1: it can join none
	room   uint32 // how much its parent may have taken over, this one included, for it to join
	cost   uint32 // what its head is charged, in grains
	joined uint32 // of that, what it took over
}

// plan says what the second walk adds to a function.
type plan struct {
	regions []region
	loops   int
	calls   int
	sized   bool // there are operations whose cost depends on an operand
	charges int  // regions that are charged
	cached  bool // the fuel is held in a local
	plain   bool // it is so large that its loops get a simple test
	leaf    bool // it is so short that its entry needs no test
}

func (p *plan) reset() { *p = plan{regions: p.regions[:0]} }

func (p *plan) loop() {
	if p != nil {
		p.loops++
	}
}

// note takes an instruction that can be reached.
func (p *plan) note(region int, in *instr, weight uint32) {
	p.regions[region].cost += weight
	switch {
	case in.op == opCall || in.op == opCallIndirect:
		p.calls++
	case sized(in.op):
		p.sized = true
	}
}

// maxLeaf is what a function without calls and loops may cost, in grains, to go without a test at its entry. Whoever
// calls it has one, and one pass over the largest function that does nothing else takes milliseconds.
const maxLeaf = 256

// maxLoops is how many loops of a function may become three blocks each. The time that wazero's compiler takes grows faster
// than the number of blocks: at 1,000 loops the form would cost seconds.
const maxLoops = 64

// settle lets regions join the charges of their parents, the innermost first, and decides on the function's form.
func (p *plan) settle(results int) {
	total := uint32(0)
	for i := len(p.regions) - 1; i >= 0; i-- {
		r := &p.regions[i]
		if r.parent >= 0 {
			if to := &p.regions[r.parent]; to.joined+r.cost <= r.room {
				to.cost += r.cost
				to.joined += r.cost
				r.cost = 0
			}
		}
		if r.cost > 0 {
			p.charges++
			total += r.cost
		}
	}
	p.leaf = p.calls+p.loops == 0 && !p.sized && total <= maxLeaf
	p.plain = p.loops > maxLoops
	p.cached = p.charges > 1 && results <= 1 && !p.plain
}
