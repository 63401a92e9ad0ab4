// Package meter checks an uploaded WebAssembly module before anything else sees it, and rewrites it so that it counts and
// bounds what it does.
//
// [Inspect] decodes a module and says everything that keeps it from being run: it is not WebAssembly, it uses a proposal
// beyond core features V2, an index points nowhere, or it passes one of [Limits]. [Rewrite] does the same and then returns
// the module with fuel metering. Everything it returns was decoded and encoded again in the shortest form, so that no
// ambiguity of the original reaches the next decoder.
//
// # Fuel
//
// A unit of fuel is about the work of one simple instruction. The rewritten module exports two mutable i64 globals:
// [FuelExport], what is left of the current slice, and [BudgetExport], what is left beyond it. Code subtracts from the
// first at the head of its regions and tests it at the entry of functions and at the heads of loops; once it is negative,
// a function that was added at the end of the module leaves to Go (memory.grow 0, where the scheduler and the collector
// get their turn) and takes the next slice from the budget, or traps if there is none. So the host
//
//   - gives a call n units with fuel = min(n, Slice) and budget = n - fuel,
//   - learns what it used as n - (fuel + budget),
//   - stops it from outside by setting budget to a large negative number (not below -1<<62), at the next slice's end; the
//     guest may write it at that moment too, so it is looked at again, and what it was before has to be remembered,
//   - and after a trap knows by fuel+budget < 0 that fuel was the reason.
//
// DESIGN.md says where charges are placed and why that is sound.
package meter
