// graphql-ws on both sides: a query, a subscription, and a refused operation.
import assert from 'node:assert/strict';
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { assertEngine, listen } from './using.mjs';

assertEngine('graphql-ws');

const { server, port } = await listen();
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: { hello: { type: GraphQLString, resolve: () => 'world' } },
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      count: {
        type: GraphQLInt,
        async *subscribe() {
          for (let count = 1; count <= 3; count++) yield { count };
        },
      },
    },
  }),
});
const sockets = new WebSocketServer({ server, path: '/graphql' });
const disposable = useServer({ schema }, sockets);
const client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket });

async function results(query) {
  const all = [];
  for await (const result of client.iterate({ query })) all.push(result);
  return all;
}

assert.deepEqual(await results('{ hello }'), [{ data: { hello: 'world' } }]);
assert.deepEqual(
  (await results('subscription { count }')).map(({ data }) => data.count),
  [1, 2, 3],
);
await assert.rejects(results('{ nothing }'), (errors) => {
  assert.match(errors[0].message, /Cannot query field "nothing"/);
  return true;
});
await client.dispose();
await disposable.dispose();
server.close();
