package admin

import (
	"fmt"
	"net/http"

	"sluice/gateway/record"
	"sluice/gateway/registry"
)

// noteAPI is why a rollout changed, unless whoever changed it says so.
const noteAPI = "by the admin API"

func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	activate, err := queryBool(r, "activate")
	if err != nil {
		return err
	}
	name, limit := r.PathValue("name"), s.modules.Wasm.ModuleMaxBytes
	wasm, err := s.slow(w, r, limit)
	switch {
	case isA[*http.MaxBytesError](err):
		return failf(http.StatusRequestEntityTooLarge, record.BodyTooLarge.String(), "the module is larger than wasm.module.max.bytes = %d", limit)
	case err != nil:
		return err
	case len(wasm) == 0:
		return invalid("the body is empty; it must be the module, as in curl -T module.wasm")
	}
	report, err := s.modules.Upload(r.Context(), name, wasm, registry.Origin{Kind: registry.Uploaded})
	if err != nil {
		return err
	}
	if activate && !report.Active {
		if err := s.modules.Activate(r.Context(), name, report.Version, noteAPI+", with its upload"); err != nil {
			f := *asFailure(err)
			f.err = fmt.Errorf("version %s was uploaded, but not activated: %w", registry.Short(report.Version), f.err)
			return &f
		}
		report.Active = true
	}
	status := http.StatusCreated
	if report.Known {
		status = http.StatusOK
	}
	w.Header().Set("Location", "/v1/modules/"+name+"/versions/"+report.Version)
	write(w, status, "application/json", report)
	return nil
}
