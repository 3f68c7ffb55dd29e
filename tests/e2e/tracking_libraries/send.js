// SPDX-License-Identifier: Apache-2.0
// Sends events with the vendors' own libraries: node send.js segment|rudder URL KEY COUNT. Prints one JSON line a call: what was sent and its messageId.
const [library, url, key, count] = process.argv.slice(2);

const CALLS = [
  { call: 'identify', traits: { email: 'wang.wei@example.cn', address: { city: '上海' }, vip: true } },
  { call: 'page', name: '首页', properties: { category: 'Home' } },
  { call: 'screen', name: '商品详情' },
  { call: 'group', groupId: 'g-9', traits: { name: 'VIP' } },
  { call: 'alias', previousId: 'anon-77' },
  { call: 'track', event: 'Product Viewed', properties: { product_id: 'i-1', category: '女装', brand: 'b', price: 129.9 } },
  { call: 'track', event: 'Product Added', properties: { product_id: 'i-1', price: 129.9, quantity: 2 } },
  { call: 'track', event: 'Order Completed', properties: { order_id: 'o-1', revenue: 259.8, products: [{ product_id: 'i-1', price: 129.9, quantity: 2 }] } },
  { call: 'track', event: 'Something Else', properties: {} },
];

function body(index) {
  const { call, ...rest } = CALLS[index % CALLS.length];
  return { call, fields: { userId: `u-${index % 7}`, messageId: `${library}-${index}`, ...rest } };
}

async function segment() {
  const { Analytics } = require('@segment/analytics-node');
  const analytics = new Analytics({ writeKey: key, host: url, flushAt: 20, flushInterval: 100 });
  analytics.on('error', (error) => { console.error('segment:', error); process.exitCode = 1; });
  for (let i = 0; i < count; ++i) {
    const { call, fields } = body(i);
    analytics[call](fields);
  }
  await analytics.closeAndFlush({ timeout: 60000 });
}

async function rudder() {
  const RudderAnalytics = require('@rudderstack/rudder-sdk-node');
  const analytics = new RudderAnalytics(key, { dataPlaneUrl: url, flushAt: 20, flushInterval: 100, logLevel: 'error' });
  for (let i = 0; i < count; ++i) {
    const { call, fields } = body(i);
    analytics[call](fields);
  }
  await analytics.flush();
}

(library === 'segment' ? segment() : rudder()).then(() => {
  for (let i = 0; i < count; ++i) {
    const { call, fields } = body(i);
    console.log(JSON.stringify({ call, event: fields.event, messageId: fields.messageId, userId: fields.userId }));
  }
  setTimeout(() => process.exit(), 200);
});
