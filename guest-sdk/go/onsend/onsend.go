package onsend

import sluice "sluice/guest-sdk/go"

var hook func(r *sluice.Record) error //nolint:gochecknoglobals,unused // for the export, which has no receiver and is for wasip1 only

// Func sets what is called for every record. An error fails the record, with what it says as the reason.
func Func(f func(r *sluice.Record) error) { hook = f }
