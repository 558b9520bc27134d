package readiness

// Version changes whenever a gate or a rule decides differently from the same chart and policy, so that every verdict is
// judged again. It belongs into Policy.Hash.
const Version = 39
