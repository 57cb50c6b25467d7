// The deployment itself: its health, and this description.

import { description } from "./bodies.ts";
import type { Part } from "./operation.ts";

export function service(): Part {
  return {
    tag: "Service",
    about: "The deployment itself.",
    shapes: {
      Description: { schema: description, about: "An OpenAPI document." },
    },
    operations: [
      {
        route: "GET /healthz",
        id: "getHealth",
        summary: "Whether every variable is right and storage takes writes",
        callers: "everybody",
        replies: { 200: { about: "All is well.", text: "ok" } },
      },
      {
        route: "GET /api/v1/openapi.json",
        id: "getDescription",
        summary: "This document",
        callers: "everybody",
        replies: {
          200: {
            about: "An OpenAPI 3.1 document.",
            headers: ["Cache-Control"],
            json: "Description",
          },
        },
      },
    ],
  };
}
