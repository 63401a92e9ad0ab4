package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Environment is what a figure depends on besides the settings.
type Environment struct {
	Go        string            `json:"go"`
	System    string            `json:"system"`
	CPU       string            `json:"cpu,omitempty"`
	Cores     int               `json:"cores"`
	MaxProcs  int               `json:"gomaxprocs"`
	Revision  string            `json:"revision,omitempty"` // of this binary, "+dirty" when it was changed
	Libraries map[string]string `json:"libraries,omitempty"`
}

func environment() Environment {
	e := Environment{
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPU: cpuModel(),
		Cores: runtime.NumCPU(), MaxProcs: runtime.GOMAXPROCS(0),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return e
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			e.Revision = s.Value + e.Revision
		case s.Key == "vcs.modified" && s.Value == "true":
			e.Revision += "+dirty"
		}
	}
	e.Libraries = map[string]string{}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/valyala/fasthttp", "github.com/twmb/franz-go", "github.com/twmb/franz-go/pkg/kfake":
			e.Libraries[m.Path] = m.Version
		}
	}
	return e
}

// cpuModel is what Linux calls the processor; "" elsewhere.
func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(b), "model name")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}
