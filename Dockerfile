# Belay on one machine: docs/self-hosting.md. Nothing secret is in the image.
#   docker build -t belay .

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /belay
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build-server.ts

FROM node:24.21.0-bookworm-slim
COPY --from=build /belay/dist/server /belay
RUN mkdir --mode=700 /data && chown node:node /data
WORKDIR /belay
# The image has no list of authorities of its own.
ENV SSL_CERT_FILE=/belay/built/authorities.pem
USER node
VOLUME /data
EXPOSE 8787
# It reads variables from the environment: docker run --env-file.
ENTRYPOINT ["node", "scripts/serve.js", "--host=0.0.0.0", "--persist-to=/data", "--env"]
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
