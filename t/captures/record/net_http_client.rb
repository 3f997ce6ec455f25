# Ruby's Net::HTTP: KIND URL [NAME VALUE | NAME @FILE] ...

require 'json'
require 'net/http'

kind, url, *rest = ARGV
uri = URI(url)
fields = rest.each_slice(2).to_a unless kind == 'json'
uri.query = URI.encode_www_form(fields) if kind == 'query'

request = Net::HTTP::Post.new(uri)
case kind
when 'json'
  request.content_type = 'application/json'
  request.body = JSON.generate(JSON.parse(rest[0]))
when 'urlencoded'
  request.set_form_data(fields)
when 'multipart'
  request.set_form(fields.map { |name, value|
    value.start_with?('@') ? [name, File.open(value[1..])] : [name, value]
  }, 'multipart/form-data')
end

Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
