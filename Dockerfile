# Timonier on chat platforms, in a container without a shell, as a user without rights.
#
#   docker build -t timonier .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges -v timonier:/data --env-file timonier.env timonier
#
# Tags move; to hold both images where they are, append what these say: FROM golang:1.26.8-bookworm@sha256:…
#   docker buildx imagetools inspect golang:1.26.8-bookworm
#   docker buildx imagetools inspect gcr.io/distroless/static-debian12:nonroot
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The same commit gives the same program, byte for byte: no paths, no C library, no time but the commit's.
# Go reads the version from .git, which the context has; without it (an archive): --build-arg VCS=false.
ARG VCS=true
RUN go build -trimpath -buildvcs=$VCS -ldflags="-s -w" -o /out/timonier ./cmd/timonier && mkdir /out/data /out/backups

# Static: certificates of authorities and nothing else that runs. Time zones are in the program.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/timonier /timonier
# All that is ever written: the file, and its copies where --backup-dir asks for them.
COPY --from=build --chown=nonroot:nonroot /out/data /data
COPY --from=build --chown=nonroot:nonroot /out/backups /backups
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/timonier", "health"]
# It is told to stop with SIGTERM, and ends within ten seconds: what was accepted is answered and kept.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/timonier"]
CMD ["serve", "--data", "/data/timonier.db", "--listen", "0.0.0.0:8080"]
