# Ruby's rest-client: KIND URL [NAME VALUE | NAME @FILE] ...

require 'json'
require 'rest-client'

kind, url, *rest = ARGV

if kind == 'json'
  RestClient.post(url, JSON.generate(JSON.parse(rest[0])),
                  content_type: :json)
  exit
end

fields = rest.each_slice(2).map { |name, value|
  [name, value.start_with?('@') ? File.open(value[1..]) : value]
}
params = RestClient::ParamsArray.new(fields)

case kind
when 'query' then RestClient.post(url, nil, params: params)
when 'urlencoded' then RestClient.post(url, params)
else RestClient::Request.execute(method: :post, url: url,
                                 payload: { multipart: true }.merge(
                                   fields.group_by(&:first).transform_values {
                                     |v| v.size > 1 ? v.map(&:last) : v[0][1]
                                   }.transform_keys { |name|
                                     name.delete_suffix('[]')
                                   }))
end
