# A static binary on an empty image: nothing in it but the gateway and the certificates that it trusts.
#
#   docker build -t incident-gateway .
#   docker run --rm -p 127.0.0.1:8080:8080 incident-gateway demo --listen 0.0.0.0:8080 --allow-unauthenticated-access

FROM rust:1.95-alpine AS build
RUN apk add --no-cache gcc musl-dev ca-certificates
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY benches benches
RUN cargo build --release --locked --bin incident-gateway

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/incident-gateway /incident-gateway
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["/incident-gateway", "health"]
ENTRYPOINT ["/incident-gateway"]
CMD ["serve", "--config", "/etc/incident-gateway/gateway.toml"]
