// A list that loads the next page, and rows that refetch themselves: what Relay needs connections and `node` for.
import { graphql, useLazyLoadQuery, usePaginationFragment, useRefetchableFragment } from "react-relay";
import type { IncidentListPageQuery } from "./__generated__/IncidentListPageQuery.graphql";
import type { IncidentListQuery } from "./__generated__/IncidentListQuery.graphql";
import type { IncidentList_incidents$key } from "./__generated__/IncidentList_incidents.graphql";
import type { IncidentList_row$key } from "./__generated__/IncidentList_row.graphql";
import type { IncidentListRowQuery } from "./__generated__/IncidentListRowQuery.graphql";

function Row(props: { incident: IncidentList_row$key }) {
  const [incident, refetch] = useRefetchableFragment<IncidentListRowQuery, IncidentList_row$key>(
    graphql`
      fragment IncidentList_row on Incident @refetchable(queryName: "IncidentListRowQuery") {
        id
        title
        severity
        createdAt
        comments(first: 10) {
          nodes {
            at
            body
          }
        }
      }
    `,
    props.incident,
  );
  const again = () => refetch({}, { fetchPolicy: "network-only" });
  return <li onClick={again}>{incident.createdAt ?? ""} {incident.severity.toLowerCase()} {incident.title ?? "untitled"}</li>;
}

function Rows(props: { query: IncidentList_incidents$key }) {
  const { data, loadNext, hasNext } = usePaginationFragment<IncidentListPageQuery, IncidentList_incidents$key>(
    graphql`
      fragment IncidentList_incidents on Query
      @refetchable(queryName: "IncidentListPageQuery")
      @argumentDefinitions(
        first: { type: "Int", defaultValue: 25 }
        after: { type: "String" }
        filter: { type: "IncidentFilter" }
      ) {
        incidents(first: $first, after: $after, filter: $filter) @connection(key: "IncidentList_incidents") {
          totalCount
          edges {
            node {
              id
              ...IncidentList_row
            }
          }
        }
      }
    `,
    props.query,
  );
  return (
    <ol>
      {data.incidents?.edges.map((edge) => <Row key={edge.node.id} incident={edge.node} />)}
      {hasNext && <button onClick={() => loadNext(25)}>more of {data.incidents?.totalCount ?? "many"}</button>}
    </ol>
  );
}

export function IncidentList() {
  const query = useLazyLoadQuery<IncidentListQuery>(
    graphql`
      query IncidentListQuery($filter: IncidentFilter) {
        ...IncidentList_incidents @arguments(filter: $filter)
      }
    `,
    { filter: { severity: ["CRITICAL", "HIGH"], not: { unassigned: true } } },
  );
  return <Rows query={query} />;
}
