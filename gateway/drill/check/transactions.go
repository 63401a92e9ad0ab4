package check

// request names a request of a client.
type request struct {
	client int
	number int64
}

func checkPart(ix *Index, report func(Finding)) {
	all := make(map[request][]*Entry)
	var order []request
	for i := range ix.Entries {
		if e := &ix.Entries[i]; e.Tx && !ix.wiped(e) {
			r := request{e.Client, e.Request}
			if all[r] == nil {
				order = append(order, r)
			}
			all[r] = append(all[r], e)
		}
	}
	for _, r := range order {
		ix.checkTransaction(all[r], report)
	}
}

func (ix *Index) checkTransaction(records []*Entry, report func(Finding)) {
	var there []LogRecord
	var missing []Entry
	for _, e := range records {
		if found := ix.Found(e.ID); len(found) > 0 {
			there = append(there, found[0])
		} else {
			missing = append(missing, *e)
		}
	}
	if len(there) == 0 || len(missing) == 0 {
		return
	}
	e := missing[0]
	f := about(&e, there, "is one of %d of %d records of a transaction that are missing; it was answered %d %s", len(missing), len(records), e.Status, e.Code)
	f.Sent = missing
	report(f)
}
