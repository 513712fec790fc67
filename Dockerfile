# Timonier on chat platforms, in a container without a shell, as a user without rights.
#
#   docker build -t timonier .
#   docker run --init=false -v timonier:/data --env-file timonier.env timonier
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The same source gives the same program: no paths, no C library, the version from the commit.
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/timonier ./cmd/timonier && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/timonier /timonier
COPY --from=build --chown=nonroot:nonroot /out/data /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/timonier", "health"]
# It is told to stop with SIGTERM, and ends within ten seconds: what was accepted is answered and kept.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/timonier"]
CMD ["serve", "--data", "/data/timonier.db", "--listen", "0.0.0.0:8080"]
