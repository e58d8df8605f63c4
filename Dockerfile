# docs/DEPLOY.md shows how to run it. Both stages are Debian 12, so that what the first links against is in the second.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin incident-gateway

FROM debian:bookworm-slim
# The certificates that the gateway trusts when it calls sources by https; the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/incident-gateway /usr/local/bin/incident-gateway
# Nobody: by number, so that Kubernetes sees that it is not root. Owns nothing, needs to write nothing.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/usr/local/bin/incident-gateway", "health"]
ENTRYPOINT ["/usr/local/bin/incident-gateway"]
CMD ["serve", "--config", "/etc/incident-gateway/gateway.toml"]
