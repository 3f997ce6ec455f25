// How Tomcat reads requests: a server that answers with what
// Test::Flowdash::Parsers explains.

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.Part;

import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;

class Main {
    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.OFF);

        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(args[1]);
        tomcat.setPort(Integer.parseInt(args[0]));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        tomcat.getConnector().setParseBodyMethods("POST,PUT,PATCH");

        Context context = tomcat.addContext("", new File(args[1]).getPath());
        context.setAllowCasualMultipartParsing(true);
        Wrapper wrapper = Tomcat.addServlet(context, "reader", new Reader());
        wrapper.setMultipartConfigElement(new MultipartConfigElement(args[1]));
        context.addServletMappingDecoded("/", "reader");

        tomcat.start();
        tomcat.getServer().await();
    }
}

class Reader extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request,
            HttpServletResponse response) throws IOException, ServletException {
        String type = request.getContentType();
        List<String> files = new ArrayList<>();
        List<String> pairs = new ArrayList<>();

        request.setCharacterEncoding("UTF-8");
        response.setContentType("application/json");
        try {
            if (type != null && type.toLowerCase().startsWith("multipart/")) {
                for (Part part : request.getParts()) {
                    if (part.getSubmittedFileName() != null) {
                        files.add("[" + text(part.getName()) + ",{\"$file\":["
                            + text(part.getSubmittedFileName()) + ","
                            + text(part.getContentType()) + ","
                            + part.getSize() + "]}]");
                    }
                }
            }
            for (Map.Entry<String, String[]> parameter
                    : request.getParameterMap().entrySet()) {
                for (String value : parameter.getValue()) {
                    pairs.add("[" + text(parameter.getKey()) + ","
                              + text(value) + "]");
                }
            }
        } catch (Exception e) {
            response.getOutputStream().print("{\"tomcat\":null}");
            return;
        }
        String source = type != null && type.toLowerCase().contains("json")
            ? "query" : "merged";
        response.getOutputStream().print("{\"tomcat\":[[\"" + source
            + "\",\"pairs\",[" + String.join(",", pairs) + "]],[\"merged\",\"pairs\",["
            + String.join(",", files) + "]]]}");
    }

    private static String text(String string) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : (string == null ? "" : string).toCharArray()) {
            json.append(c >= ' ' && c < 0x7f && c != '"' && c != '\\'
                        ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        return json.append('"').toString();
    }
}
