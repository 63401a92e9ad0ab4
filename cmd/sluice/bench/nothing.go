package bench

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"
	"github.com/valyala/fasthttp"
)

// nothingCommand is `sluice bench __nothing`: a plain fasthttp server whose handler reads the body and answers with as
// many bytes as Sluice does for one record. It is the limit of what a server on fasthttp can reach.
func nothingCommand() *cobra.Command {
	var topic string
	cmd := &cobra.Command{
		Use: "__nothing", Hidden: true, Args: cobra.NoArgs, Short: "a fasthttp server that does nothing",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNothing(cmd.Context(), cmd.OutOrStdout(), topic)
		},
	}
	cmd.Flags().StringVar(&topic, "topic", "bench", "topic named in the answer")
	return cmd
}

func runNothing(ctx context.Context, out io.Writer, topic string) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &fasthttp.Server{Handler: doNothing(topic)}
	context.AfterFunc(ctx, func() { _ = server.Shutdown() }) // Serve returns, whatever Shutdown says
	if _, err := fmt.Fprintln(out, ln.Addr()); err != nil {
		return err
	}
	return server.Serve(ln)
}

func doNothing(topic string) fasthttp.RequestHandler {
	answer := fmt.Appendf(nil, `{"topic":%q,"partition":0,"offset":12345678,"timestamp":1700000000000}`, topic)
	return func(ctx *fasthttp.RequestCtx) {
		if len(ctx.PostBody()) == 0 {
			ctx.SetStatusCode(fasthttp.StatusBadRequest)
			return
		}
		ctx.Response.Header.SetContentType("application/json")
		ctx.Response.SetBodyRaw(answer)
	}
}
