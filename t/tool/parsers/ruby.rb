#!/usr/bin/ruby

# How Rack and Ruby's "json", and with "more" as the argument Rails, read requests:
# see Test::Flowdash::Parsers for what goes in and out.

require 'json'
require 'rack'
require 'stringio'

def plain(value)
  case value
  when Hash
    if value.key?(:tempfile)
      { '$file' => [value[:filename].to_s, value[:type].to_s,
                    value[:tempfile].size] }
    else
      value.to_h { |name, member| [text(name.to_s), plain(member)] }
    end
  when Array then value.map { |member| plain(member) }
  when Numeric then { '$number' => value.to_s }
  when String then text(value)
  when true, false, nil then value
  else
    { '$file' => [value.original_filename.to_s, value.content_type.to_s,
                  value.size] }
  end
end

# half of a surrogate pair becomes U+FFFD, other bytes that are not UTF-8 stay
# visible
def text(string)
  string = string.b.gsub(/\xed[\xa0-\xbf][\x80-\xbf]/n, "\xef\xbf\xbd".b)
  string.force_encoding('UTF-8')
  string.valid_encoding? ? string : string.scrub { |b| "\\x#{b.unpack1('H*')}" }
end

def tree(source, value)
  [source, 'tree', plain(value)]
end

def environ(raw)
  head, body = raw.split("\r\n\r\n", 2)
  start, *lines = head.split("\r\n")
  method, target = start.split(' ')
  path, query = target.split('?', 2)

  env = { 'REQUEST_METHOD' => method, 'PATH_INFO' => path, 'SCRIPT_NAME' => '',
          'QUERY_STRING' => query || '', 'SERVER_NAME' => 'localhost',
          'SERVER_PORT' => '80', 'rack.input' => StringIO.new(body.to_s.b),
          'rack.url_scheme' => 'http', 'rack.errors' => $stderr,
          'REMOTE_ADDR' => '127.0.0.1' }
  lines.each do |line|
    name, value = line.split(': ', 2)
    key = name.upcase.tr('-', '_')
    key = "HTTP_#{key}" unless %w[CONTENT_TYPE CONTENT_LENGTH].include?(key)
    env[key] = value.to_s
  end
  env
end

PARSERS = {
  'rack' => lambda do |raw|
    request = Rack::Request.new(environ(raw))
    type = request.media_type.to_s
    if type.include?('json')
      return [tree('query', request.GET),
              tree('body', JSON.parse(request.body.read))]
    end
    [tree('query', request.GET), tree('body', request.POST),
     tree('merged', request.params)]
  end,
  'ruby json' => lambda do |raw|
    [tree('json', JSON.parse(raw.split("\r\n\r\n", 2)[1].to_s))]
  end,
}

MORE = {
  'rails' => lambda do |raw|
    request = ActionDispatch::Request.new(environ(raw))
    request.path_parameters = { controller: 'tasks', action: 'update' }
    TasksController.new.read(request)
  end,
}

if ARGV == ['more']
  require 'action_controller'

  class TasksController < ActionController::Base
    wrap_parameters format: [:json]

    def read(request)
      set_request!(request)
      set_response!(ActionDispatch::Response.new)
      request.parameters          # refused here if the app would do so
      wrapped = _wrapper_enabled?
      _perform_parameter_wrapping if wrapped
      all = params.to_unsafe_h.except('controller', 'action')
      [tree('query', request.query_parameters),
       tree('body', request.request_parameters), tree('merged', all)]
    end
  end
end

$stdout.sync = true
parsers = ARGV == ['more'] ? MORE : PARSERS

$stdin.each_line do |path|
  File.open(path.chomp, 'rb') do |batch|
    while (length = batch.read(4))
      raw = batch.read(length.unpack1('N'))
      readings = parsers.transform_values do |parser|
        parser.call(raw)
      rescue StandardError, SystemStackError
        warn $!.full_message if ENV['FLOWDASH_DEBUG']
        nil
      end
      puts JSON.generate(readings, ascii_only: true)
    end
  end
end
