// The audits of graphql-http, all of them, be they MUST, SHOULD or MAY.
import { serverAudits } from "graphql-http";

const EXPECTED = 61;
const audits = serverAudits({ url: process.env.GATEWAY_URL, fetchFn: fetch });
let passed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === "ok") {
    passed += 1;
    continue;
  }
  const { response } = result;
  const body = await response?.text?.().catch(() => "(read already)");
  console.log(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
  console.log(`   HTTP ${response?.status} ${response?.headers.get("content-type")} ${body?.slice(0, 200) ?? ""}`);
}
console.log(`${passed} passed, ${audits.length - passed} failed`);
if (audits.length !== EXPECTED) throw new Error(`the suite has ${audits.length} audits, not ${EXPECTED}`);
process.exitCode = passed === audits.length ? 0 : 1;
