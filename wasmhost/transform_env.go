package wasmhost

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// What Redpanda allows a transform.
const (
	maxOutputTopics = 8
	reservedPrefix  = "REDPANDA_"
)

func (c *callContext) args() []string { return []string{c.guest.settings.Name} }

func (c *callContext) environ() []string { return c.guest.environment }

// transformEnvironment is the environment of a transform: its configuration, and from which topic it reads and to which
// it may write. The first output topic is the input topic, as a record stays in it if the transform says nothing.
func transformEnvironment(s *Settings) ([]string, error) {
	var config map[string]any
	if len(s.Config) > 0 {
		if err := json.Unmarshal(s.Config, &config); err != nil {
			return nil, fmt.Errorf("its config is not a JSON object: %w", err)
		}
	}
	env := make([]string, 0, len(config)+1+maxOutputTopics)
	for _, name := range slices.Sorted(maps.Keys(config)) {
		value, ok := config[name].(string)
		switch {
		case !ok:
			return nil, fmt.Errorf("config.%s is not a string: a Redpanda transform is configured by environment variables", name)
		case strings.HasPrefix(name, reservedPrefix):
			return nil, fmt.Errorf("config.%s: environment variables that begin with %s are reserved", name, reservedPrefix)
		case name == "" || strings.Contains(name, "=") || strings.ContainsFunc(name, unicode.IsControl):
			return nil, fmt.Errorf("config.%q cannot be the name of an environment variable: it may not be empty, and not have = or control characters", name)
		case strings.Contains(value, "\x00"):
			return nil, fmt.Errorf("config.%s has a byte 0, which no environment variable can have", name)
		}
		env = append(env, name+"="+value)
	}
	env = append(env, reservedPrefix+"INPUT_TOPIC="+s.Topic)
	for i, topic := range outputTopics(s) {
		env = append(env, reservedPrefix+"OUTPUT_TOPIC_"+strconv.Itoa(i)+"="+topic)
	}
	return env, nil
}

// outputTopics are the topics that a transform can be told of by name: globs among its routes are not.
func outputTopics(s *Settings) []string {
	topics := []string{s.Topic}
	for _, route := range s.Routes {
		if !strings.Contains(route, "*") && !slices.Contains(topics, route) && len(topics) < maxOutputTopics {
			topics = append(topics, route)
		}
	}
	return topics
}
