package admin

import (
	"encoding/json"
	"net/http"

	"sluice/gateway/record"
)

// problemBody is an error as RFC 9457 has it, in the shape of the data plane.
type problemBody struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Retryable bool   `json:"retryable"`
}

func problem(w http.ResponseWriter, status int, err *record.Error) {
	write(w, status, "application/problem+json", problemBody{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: err.Code.String(), Detail: err.Message,
		Retryable: err.Code.Retriable(),
	})
}

func answer(w http.ResponseWriter, body any) { write(w, http.StatusOK, "application/json", body) }

func write(w http.ResponseWriter, status int, contentType string, body any) {
	data, err := json.Marshal(body)
	if err != nil { // a value of a setting that JSON does not have
		problem(w, http.StatusInternalServerError, record.Errorf(record.Internal, "the answer cannot be written as JSON: %v", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // the client is gone
}
