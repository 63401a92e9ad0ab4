package onack

import sluice "sluice/guest-sdk/go"

var hook func(a *sluice.Ack) //nolint:gochecknoglobals,unused // for the export, which has no receiver and is for wasip1 only

// Func sets what is called for every acknowledgement.
func Func(f func(a *sluice.Ack)) { hook = f }
