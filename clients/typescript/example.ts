// Lists consignments, starts a scan and reads its findings. `waybill.d.ts` is made of docs/openapi.json.
import createClient from "openapi-fetch";

import type { components, paths } from "./waybill.d.ts";

declare const process: { env: { [name: string]: string | undefined } };

const api = createClient<paths>({
  baseUrl: process.env["WAYBILL_API"] ?? "",
  headers: { Authorization: `Bearer ${process.env["WAYBILL_TOKEN"] ?? ""}` },
});

function refused(problem: components["schemas"]["Problem"]): never {
  throw new Error(`${problem.status} ${problem.code}: ${problem.detail}`);
}

const listed = await api.GET("/consignments", { params: { query: { limit: 5 } } });
if (listed.error) refused(listed.error);
for (const consignment of listed.data.consignments) {
  console.log(`consignment ${consignment.reference} ${consignment.status}`);
}

const started = await api.POST("/scan", { body: { bucket: "town-hall-exports", detectors: ["EMAIL"] } });
if (started.error) refused(started.error);
const job: string = started.data.job_id;
console.log(`job ${job}`);

const found = await api.GET("/results", { params: { query: { job_id: job } } });
if (found.error) refused(found.error);
for (const finding of found.data.findings) {
  console.log(`finding ${finding.detector} in ${finding.key}: ${finding.masked_match}`);
}
